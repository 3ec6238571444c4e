import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createTestRegistry } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../http.ts'
import { imageOf, pushBlob, pushManifest } from '../image.ts'
import { createRandom } from '../random.ts'
import { createLayers } from './content.ts'
import type { Intent, Outcome } from './events.ts'
import { createFindings } from './findings.ts'
import { createHistory, type History } from './history.ts'
import { blobKey, manifestKey, type ObjectKey, partsOf, present, tagKey } from './objects.ts'
import { moveTag, pushImage, pushReferrer } from './pushes.ts'
import { createTally } from './tally.ts'
import { verify } from './verify.ts'
import type { Worker } from './worker.ts'

const repository = 'app'
const abilities = { referrers: true, deleteTags: true, keepsUsedBlobs: true }
const noJournal = {
  append: () => {},
  flushed: async () => {},
  acknowledged: () => 0,
  [Symbol.asyncDispose]: async () => {},
}

let directory: string
let history: History

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stowage-verify-'))
  history = createHistory(noJournal, 1000)
})
afterEach(() => rmSync(directory, { recursive: true }))

const serve = async (work: (client: HttpClient) => Promise<void>): Promise<void> => {
  await using registry = await createTestRegistry({ storage: directory })
  using client = createHttpClient(registry.url)
  await work(client)
}

const workerOf = (client: HttpClient): Worker => {
  const random = createRandom(1)
  const shared = { history, abilities, layers: createLayers(random), images: new Map(), loose: [] }
  return { ...shared, client, random, tally: createTally(), findings: createFindings(() => 'test') }
}

/** Some images with tags and a referrer; then the server is gone. */
const fill = async (): Promise<void> => {
  await serve(async (client) => {
    const worker = workerOf(client)
    for (let count = 0; count < 8; count += 1) await pushImage(worker, repository)
    for (let count = 0; count < 4; count += 1) await moveTag(worker, repository)
    await pushReferrer(worker, repository)
  })
  history.record({ type: 'cut', at: Date.now() })
}

/** The invariants that are found broken after a new start, each once. */
const findAll = async (
  more: readonly ObjectKey[] = [],
): Promise<{ kinds: string[]; lost: number; sentences: readonly string[] }> => {
  const findings = createFindings(() => 'test')
  await serve(async (client) => {
    const { model, record } = history
    const { signal } = new AbortController()
    const scope = [...model.registers.keys(), ...more]
    await verify({
      model,
      record,
      client,
      signal,
      findings,
      abilities,
      scope,
      tally: createTally(),
      found: () => {},
      whole: true,
    })
  })
  const { sentences } = findings
  const kinds = new Set(sentences.map((sentence) => sentence.split(':')[0] ?? ''))
  return { kinds: [...kinds].toSorted(), lost: findings.lost(), sentences }
}

const pretend = (intent: Intent, outcome: Outcome): void => history.end(history.begin(intent), outcome)

const sql = (text: string): void => {
  using database = new DatabaseSync(join(directory, 'registry.db'))
  database.exec(`pragma foreign_keys = off; ${text}`)
}

const ofKind = (kind: string): ObjectKey[] =>
  [...history.model.registers.keys()].filter((key) => partsOf(key).kind === kind)
const nameOf = (key: ObjectKey | undefined): string => (key === undefined ? '' : partsOf(key).name)
const firstName = (kind: string): string => nameOf(ofKind(kind)[0])
/** One that is the subject of no other, and no referrer. */
const plainManifest = (): string =>
  nameOf(
    ofKind('manifest').find(
      (key) => history.model.referrersOf(key).size === 0 && history.model.facts.get(key)?.subject === undefined,
    ),
  )
const usedBlob = (): string => history.model.facts.get(manifestKey(repository, plainManifest()))?.needs[0] ?? ''
const fileOf = (digest: string): string =>
  globSync(join(directory, 'blobs', 'sha256', '*', `${digest.slice('sha256:'.length)}.*`))[0] ?? ''

describe('a store in which nothing was touched', () => {
  test('is as it may be', async () => {
    await fill()
    expect(ofKind('tag').length).toBeGreaterThan(2)
    expect(await findAll()).toStrictEqual({ kinds: [], lost: 0, sentences: [] })
  })
})

describe('what is found', () => {
  beforeEach(fill)

  test('an acknowledgement of what never took place', async () => {
    pretend({ kind: 'put-blob', repository, digest: `sha256:${'0'.repeat(64)}` }, 'acknowledged')
    expect(await findAll()).toMatchObject({ kinds: ['I1'], lost: 1 })
  })

  test('a deletion that is undone', async () => {
    pretend({ kind: 'delete-manifest', repository, digest: plainManifest() }, 'acknowledged')
    expect((await findAll()).kinds).toContain('I7')
  })

  test('a tag that is set back', async () => {
    const tag = firstName('tag')
    sql(
      `update tags set digest = (select digest from manifests m where m.digest <> tags.digest limit 1) where name = '${tag}'`,
    )
    expect(await findAll()).toMatchObject({ kinds: ['I1'], lost: 1 })
  })

  test('a tag that is gone', async () => {
    sql(`delete from tags where name = '${firstName('tag')}'`)
    expect(await findAll()).toMatchObject({ kinds: ['I1'], lost: 1 })
  })

  test('a manifest that is gone', async () => {
    sql(`delete from tags; delete from manifests where digest = '${plainManifest()}'`)
    expect((await findAll()).sentences).toContainEqual(
      expect.stringContaining(`manifest app ${plainManifest()} is absent`),
    )
  })

  test('a manifest with other bytes, once and not for each of its tags', async () => {
    const [tag = tagKey(repository, '')] = ofKind('tag')
    const [digest = ''] = history.model.possible(tag, history.model.now(), history.model.now())
    sql(`update manifest_contents set bytes = zeroblob(length(bytes)) where digest = '${digest}'`)
    const { lost, sentences } = await findAll()
    expect(sentences[0]).toMatch(`manifest app ${digest}`)
    expect(lost).toBe(1)
  })

  test('a link to a blob that is gone', async () => {
    sql(`delete from repository_blobs where digest = '${usedBlob()}'`)
    expect(await findAll()).toMatchObject({ kinds: ['I1'], lost: 1 })
  })

  test('a blob that went although a manifest needs it', async () => {
    const digest = usedBlob()
    pretend({ kind: 'delete-blob', repository, digest }, 'acknowledged')
    sql(`delete from repository_blobs where digest = '${digest}'`)
    expect((await findAll()).kinds).toStrictEqual(['I3'])
  })

  test('the file of a blob that is gone', async () => {
    rmSync(fileOf(usedBlob()))
    expect((await findAll()).lost).toBe(1)
  })

  test('the file of a blob that is empty', async () => {
    writeFileSync(fileOf(usedBlob()), '')
    expect((await findAll()).lost).toBe(1)
  })

  test('another byte in the file of a blob', async () => {
    const { needs = [] } = history.model.facts.get(manifestKey(repository, plainManifest())) ?? {}
    const config = fileOf(needs.at(-1) ?? '')
    sql(`update blobs set size = 1 where digest = '${needs.at(-1)}'`)
    writeFileSync(config, 'x')
    expect(await findAll()).toMatchObject({ kinds: ['I5'], lost: 1 })
  })

  test('a blob in a repository where nobody pushed it', async () => {
    sql(`insert into repositories (name, created_at) values ('other', 0);
      insert into repository_blobs (repository_id, digest, linked_at, linked_by)
        select r.id, '${usedBlob()}', 0, '' from repositories r where r.name = 'other'`)
    expect(await findAll([blobKey('other', usedBlob())])).toMatchObject({ kinds: ['I6'] })
  })

  test('a tag in the list that leads nowhere', async () => {
    const digest = plainManifest()
    pretend({ kind: 'delete-manifest', repository, digest }, 'acknowledged')
    sql(`update tags set digest = '${digest}'; delete from manifests where digest = '${digest}'`)
    expect((await findAll()).kinds).toContain('I4')
  })

  test('a referrer that is not listed', async () => {
    sql('update manifests set subject = null')
    expect((await findAll()).kinds).toStrictEqual(['I9'])
  })

  test('a referrer that should not be listed', async () => {
    const referrer = ofKind('manifest').find((key) => history.model.facts.get(key)?.subject !== undefined)
    const subject = history.model.facts.get(referrer ?? manifestKey('', ''))?.subject ?? ''
    sql(`update manifests set subject = '${subject}' where digest = '${plainManifest()}'`)
    expect((await findAll()).kinds).toStrictEqual(['I9'])
  })

  test('half of a push without an answer', async () => {
    const { config, manifest } = imageOf('half', [])
    const { digest } = manifest
    await serve(async (client) => {
      await pushBlob(client, repository, config)
      pretend({ kind: 'put-blob', repository, digest: config.digest }, 'acknowledged')
      history.begin({ kind: 'put-manifest', repository, digest, tag: 'half', needs: [config.digest] })
      await pushManifest(client, repository, digest, manifest)
    })
    history.record({ type: 'cut', at: Date.now() })
    expect(await findAll()).toMatchObject({ kinds: ['I11'], lost: 0 })
  })

  test('all of it is in one sentence that says what was seen and what may be', async () => {
    const [tag = tagKey(repository, '')] = ofKind('tag')
    const [value = ''] = history.model.possible(tag, history.model.now(), history.model.now())
    sql(`delete from tags where name = '${nameOf(tag)}'`)
    const { sentences } = await findAll()
    expect(sentences[0]).toContain(`test: ${tag} is absent, and must be ${value} (#`)
    expect(sentences[0]).toContain('put-manifest acknowledged')
    expect(value).not.toBe(present)
  })
})
