import { describe, expect, test } from 'vitest'
import type { Intent, Outcome } from './events.ts'
import { createModel, type Model } from './model.ts'
import { absent, blobKey, manifestKey, type ObjectKey, present, tagKey } from './objects.ts'

const repository = 'app'
const manifest = manifestKey(repository, 'm')
const tag = tagKey(repository, 'latest')
const layer = blobKey(repository, 'l')
const putBlob = { kind: 'put-blob', repository, digest: 'l' } as const
const putManifest = { kind: 'put-manifest', repository, digest: 'm', tag: 'latest', needs: ['l'] } as const
const deleteManifest = { kind: 'delete-manifest', repository, digest: 'm' } as const

const create = (): Model & {
  did: (intent: Intent, outcome?: Outcome) => void
  cut: () => void
  sees: (key: ObjectKey) => string[]
} => {
  const model = createModel({ grace: 1000 })
  let operation = 0
  return {
    ...model,
    did: (intent, outcome) => {
      operation += 1
      model.apply({ type: 'intent', operation, at: 0, intent })
      if (outcome !== undefined) model.apply({ type: 'outcome', operation, outcome })
    },
    cut: () => model.apply({ type: 'cut', at: 0 }),
    sees: (key) => [...model.possible(key, model.now(), model.now())].toSorted(),
  }
}

describe('what may be seen', () => {
  test('what was acknowledged', () => {
    const model = create()
    model.did(putManifest, 'acknowledged')
    model.cut()
    expect(model.sees(manifest)).toStrictEqual([present])
    expect(model.sees(tag)).toStrictEqual(['m'])
  })

  test('nothing of what was refused', () => {
    const model = create()
    model.did(putManifest, 'refused')
    expect(model.sees(manifest)).toStrictEqual([absent])
    expect(model.sees(tag)).toStrictEqual([absent])
  })

  test('a tag goes with its manifest, and only with its own', () => {
    const model = create()
    model.did(putManifest, 'acknowledged')
    model.did({ ...putManifest, digest: 'other', tag: 'v1' }, 'acknowledged')
    model.did(deleteManifest, 'acknowledged')
    expect(model.sees(tag)).toStrictEqual([absent])
    expect(model.sees(tagKey(repository, 'v1'))).toStrictEqual(['other'])
  })

  test('what was once seen stays, whatever had no answer', () => {
    const model = create()
    model.did(putManifest)
    model.cut()
    expect(model.sees(manifest)).toStrictEqual([absent, present])
    model.apply({ type: 'seen', key: manifest, value: absent })
    expect(model.sees(manifest)).toStrictEqual([absent])
  })

  test('nothing of what was, in an empty data directory', () => {
    const model = create()
    model.did(putManifest, 'acknowledged')
    model.apply({ type: 'renewed' })
    expect(model.sees(manifest)).toStrictEqual([absent])
  })
})

describe('an operation without an answer', () => {
  test('may still come while its server is there, also after what was acknowledged later', () => {
    const model = create()
    model.did(putBlob, 'unknown')
    model.did({ ...putBlob, kind: 'delete-blob' }, 'acknowledged')
    expect(model.sees(layer)).toStrictEqual([absent, present])
  })

  test('comes no more when its server is gone', () => {
    const model = create()
    model.did(putBlob, 'unknown')
    model.cut()
    model.did({ ...putBlob, kind: 'delete-blob' }, 'acknowledged')
    expect(model.sees(layer)).toStrictEqual([absent])
  })

  const cutOff = (): ReturnType<typeof create> => {
    const model = create()
    model.did(putManifest)
    model.cut()
    return model
  }

  test('that took place moved the tag as well', () => {
    const model = cutOff()
    model.decide(manifest, present)
    expect(model.sees(tag)).toStrictEqual(['m'])
  })

  test('that did not take place left the tag alone', () => {
    const model = cutOff()
    model.decide(manifest, absent)
    expect(model.sees(tag)).toStrictEqual([absent])
  })

  test('is not decided by what another one may have done', () => {
    const model = create()
    model.did(putManifest)
    model.did({ ...putManifest, tag: 'v1' })
    model.cut()
    model.decide(manifest, present)
    expect(model.sees(tag)).toStrictEqual([absent, 'm'])
  })

  test('that deleted the manifest deleted the tag', () => {
    const model = create()
    model.did(putManifest, 'acknowledged')
    for (const key of [manifest, tag]) model.apply({ type: 'seen', key, value: key === tag ? 'm' : present })
    model.did(deleteManifest)
    model.cut()
    expect(model.sees(tag)).toStrictEqual([absent, 'm'])
    model.decide(manifest, absent)
    expect(model.sees(tag)).toStrictEqual([absent])
  })
})

describe('garbage collection', () => {
  const collectable = (model: Model, at: number): boolean =>
    model.mayBeCollected(repository, 'l', { from: model.now(), to: model.now(), at })

  test('may take a blob when it was not used for the grace period, by a server that collects', () => {
    const model = create()
    model.did(putBlob, 'acknowledged')
    expect(collectable(model, 5000)).toBe(false)
    model.apply({ type: 'started', collecting: true })
    expect(collectable(model, 999)).toBe(false)
    expect(collectable(model, 1000)).toBe(true)
    expect(model.sees(layer)).toStrictEqual([present])
  })

  test('may not take what an acknowledged manifest uses', () => {
    const model = create()
    model.apply({ type: 'started', collecting: true })
    model.did(putBlob, 'acknowledged')
    model.did(putManifest, 'acknowledged')
    expect(collectable(model, 5000)).toBe(false)
    model.did(deleteManifest)
    expect(collectable(model, 5000)).toBe(true)
  })

  test('took nothing after its server was gone', () => {
    const model = create()
    model.apply({ type: 'started', collecting: true })
    model.did(putBlob, 'acknowledged')
    model.apply({ type: 'cut', at: 999 })
    model.apply({ type: 'started', collecting: false })
    expect(collectable(model, 5000)).toBe(false)
  })
})
