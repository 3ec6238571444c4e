/** One answer of a server, as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case; values of several lines are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Its end came. */
  readonly whole: boolean
}

export interface ReadAnswers {
  readonly answers: readonly RawAnswer[]
  /** What of the bytes is no valid HTTP/1.1. */
  readonly problem?: string
}

const statusLine = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/
/** RFC 9110 sections 5.1 and 5.5. Bytes above 0x7f are obsolete, and nothing we send has them. */
const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): *([\x21-\x7e]?(?:[\x20-\x7e\t]*[\x21-\x7e])?) *$/

/**
 * Reads what came over a connection. It is strict, and written without the server: RFC 9112 sections 4, 5 and 6.
 *
 * @param methods Of the requests, in their order: an answer to HEAD has no body. Beyond them GET is assumed.
 * @param ended Whether the connection ended: what has no length ends there.
 */
export const readAnswers = (bytes: Buffer, methods: readonly string[], ended: boolean): ReadAnswers => {
  const answers: RawAnswer[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const headEnd = bytes.indexOf('\r\n\r\n', at)
    if (headEnd === -1) {
      if (!/^HTTP\/1\.1 \d{3} |^H?T?T?P?[\d./ ]*$/.test(bytes.toString('latin1', at, at + 13)))
        return { answers, problem: `no status line: ${JSON.stringify(bytes.toString('latin1', at, at + 100))}` }
      answers.push({ status: 0, headers: new Map(), body: Buffer.alloc(0), whole: false })
      return { answers }
    }
    const [first = '', ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n')
    const status = Number(statusLine.exec(first)?.[1] ?? 0)
    if (status === 0) return { answers, problem: `no status line: ${JSON.stringify(first.slice(0, 200))}` }
    const headers = new Map<string, string>()
    for (const line of lines) {
      const [, name = '', value = ''] = field.exec(line) ?? []
      if (name === '') return { answers, problem: `no header: ${JSON.stringify(line.slice(0, 200))}` }
      const key = name.toLowerCase()
      const before = headers.get(key)
      headers.set(key, before === undefined ? value : `${before}, ${value}`)
    }
    at = headEnd + 4
    // 100 Continue comes before the answer to the same request.
    if (status < 200) {
      if (status !== 100) return { answers, problem: `a status ${status} that nobody asked for` }
      continue
    }
    const method = methods[answers.length] ?? 'GET'
    const read = readBody(bytes, at, { status, headers, method, ended })
    if (typeof read === 'string') return { answers, problem: read }
    answers.push({ status, headers, body: read.body, whole: read.whole })
    at = read.end
  }
  return { answers }
}

interface Head {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly method: string
  readonly ended: boolean
}

type ReadBody = { readonly body: Buffer; readonly end: number; readonly whole: boolean }

const readBody = (bytes: Buffer, from: number, { status, headers, method, ended }: Head): ReadBody | string => {
  const none = { body: Buffer.alloc(0), end: from, whole: true }
  const length = headers.get('content-length')
  const encoding = headers.get('transfer-encoding')
  if (length !== undefined && encoding !== undefined) return 'an answer with two framings'
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return `a Content-Length of ${JSON.stringify(length)}`
  // "A server MUST NOT send a Content-Length header field in any response with a status code of … 204".
  if (status === 204 && (length !== undefined || encoding !== undefined)) return 'a 204 with a length'
  if (method === 'HEAD' || status === 204 || status === 304) return none
  if (encoding !== undefined) return encoding === 'chunked' ? readChunks(bytes, from) : `an encoding ${encoding}`
  const end = length === undefined ? bytes.byteLength : from + Number(length)
  const whole = length === undefined ? ended : end <= bytes.byteLength
  return { body: bytes.subarray(from, end), end: Math.min(end, bytes.byteLength), whole }
}

const readChunks = (bytes: Buffer, from: number): ReadBody | string => {
  const parts: Buffer[] = []
  let at = from
  const unfinished = (): ReadBody => ({ body: Buffer.concat(parts), end: bytes.byteLength, whole: false })
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return unfinished()
    const line = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9a-f]{1,8}$/i.test(line)) return `a chunk of the size ${JSON.stringify(line.slice(0, 40))}`
    const size = Number.parseInt(line, 16)
    at = lineEnd + 2
    if (bytes.byteLength < at + size + 2) return unfinished()
    if (bytes.toString('latin1', at + size, at + size + 2) !== '\r\n') return 'a chunk that does not end where it says'
    if (size === 0) return { body: Buffer.concat(parts), end: at + 2, whole: true }
    parts.push(bytes.subarray(at, at + size))
    at += size + 2
  }
}
