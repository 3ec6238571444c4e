/** Upper bounds, in seconds. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

interface Series {
  readonly statuses: Map<number, number>
  /** Counts of each bucket by itself; the last is for what is above all bounds. */
  readonly buckets: number[]
  seconds: number
}

export interface RequestMetrics {
  /** @param route A template; never a path, which would make as many series as there are names. */
  record(method: string, route: string, status: number, milliseconds: number): void
  /** @param fault Why it was not done, by the name in `docs/errors.md`. */
  refuse(fault: string): void
  /** In Prometheus' text format. */
  text(): string
}

/**
 * Counts requests. prom-client's histogram and counter cost about 1.5 µs for each request, a tenth of a manifest's whole way;
 * this costs a tenth of that, and the format is simple enough to be written here.
 */
export const createRequestMetrics = (): RequestMetrics => {
  const routes = new Map<string, Map<string, Series>>()
  const faults = new Map<string, number>()

  const seriesOf = (method: string, route: string): Series => {
    const known = methods.has(method) ? method : 'other'
    let byMethod = routes.get(route)
    if (byMethod === undefined) routes.set(route, (byMethod = new Map()))
    let series = byMethod.get(known)
    if (series === undefined) {
      byMethod.set(known, (series = { statuses: new Map(), buckets: Array(bounds.length + 1).fill(0), seconds: 0 }))
    }
    return series
  }

  return {
    record: (method, route, status, milliseconds) => {
      const series = seriesOf(method, route)
      const seconds = milliseconds / 1000
      let bucket = 0
      while (bucket < bounds.length && seconds > (bounds[bucket] ?? Infinity)) bucket++
      series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
      series.seconds += seconds
      series.statuses.set(status, (series.statuses.get(status) ?? 0) + 1)
    },
    refuse: (fault) => void faults.set(fault, (faults.get(fault) ?? 0) + 1),
    text: () => {
      const counted: string[] = []
      const timed: string[] = []
      for (const [route, byMethod] of routes) {
        for (const [method, series] of byMethod) {
          const labels = `method="${method}",route="${route}"`
          for (const [status, count] of series.statuses)
            counted.push(`${requests}{${labels},status="${status}"} ${count}`)
          timed.push(...histogram(labels, series))
        }
      }
      return [
        `# HELP ${requests} Requests that were answered.`,
        `# TYPE ${requests} counter`,
        ...counted,
        '',
        `# HELP ${duration} Time from a request's head to the head of its answer.`,
        `# TYPE ${duration} histogram`,
        ...timed,
        '',
        `# HELP ${refusals} Requests to the registry that were refused or failed, by why.`,
        `# TYPE ${refusals} counter`,
        ...[...faults].map(([fault, count]) => `${refusals}{reason="${fault}"} ${count}`),
        '',
      ].join('\n')
    },
  }
}

const requests = 'stowage_http_requests_total'
const refusals = 'stowage_http_refusals_total'
const duration = 'stowage_http_request_duration_seconds'

const histogram = (labels: string, { buckets, seconds }: Series): string[] => {
  let total = 0
  const lines = buckets.map((count, index) => {
    total += count
    return `${duration}_bucket{${labels},le="${bounds[index] ?? '+Inf'}"} ${total}`
  })
  return [...lines, `${duration}_sum{${labels}} ${seconds}`, `${duration}_count{${labels}} ${total}`]
}
