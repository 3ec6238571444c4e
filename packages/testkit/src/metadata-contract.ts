import type { MetadataStore } from '@stowage/registry/metadata'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeAccountRaces } from './metadata-contract/accounts-races.ts'
import { describeIssuers, describeRules, describeSigningKeys } from './metadata-contract/accounts-rules.ts'
import { describeTokens } from './metadata-contract/accounts-tokens.ts'
import { describeUsers } from './metadata-contract/accounts-users.ts'
import { describeAccessVersion } from './metadata-contract/accounts-version.ts'
import { describeBlobs } from './metadata-contract/blobs.ts'
import { describeEvents } from './metadata-contract/events.ts'
import { describeFreshReads } from './metadata-contract/fresh-reads.ts'
import { describeGarbageHistories } from './metadata-contract/garbage-histories.ts'
import { describeGarbageRaces } from './metadata-contract/garbage-races.ts'
import { describeGarbage } from './metadata-contract/garbage.ts'
import { describeImmutableTags } from './metadata-contract/immutable-tags.ts'
import { describeManifests } from './metadata-contract/manifests.ts'
import { describeMounts } from './metadata-contract/mounts.ts'
import { describeInspection } from './metadata-contract/inspect.ts'
import { describeQuarantine } from './metadata-contract/quarantine.ts'
import { describeQuotaRaces } from './metadata-contract/quota-races.ts'
import { describeQuotas } from './metadata-contract/quotas.ts'
import { describeRaces } from './metadata-contract/races.ts'
import { describeReferrers } from './metadata-contract/referrers.ts'
import { describeRepositories } from './metadata-contract/repositories.ts'
import { describeRestores } from './metadata-contract/restore.ts'
import { describeRetention } from './metadata-contract/retention.ts'
import { describeTags } from './metadata-contract/tags.ts'
import { describeUnused } from './metadata-contract/unused.ts'
import { describeUploads } from './metadata-contract/uploads.ts'

/**
 * The contract of `MetadataStore`: what every adapter must do, as tests. Call it at the top of a vitest file.
 *
 * @param open Makes a new empty store for one test. The suite disposes of it.
 */
export const describeMetadataStore = (name: string, open: () => Promise<MetadataStore>): void => {
  describe(`${name} keeps the contract of a metadata store`, () => {
    let opened: MetadataStore

    beforeEach(async () => {
      opened = await open()
    })

    afterEach(() => opened[Symbol.asyncDispose]())

    const store = (): MetadataStore => opened

    describe('repositories', () => describeRepositories(store))
    describe('manifests', () => describeManifests(store))
    describe('tags', () => describeTags(store))
    describe('immutable tags', () => describeImmutableTags(store))
    describe('referrers', () => describeReferrers(store))
    describe('blobs', () => describeBlobs(store))
    describe('mounts', () => describeMounts(store))
    describe('quotas', () => describeQuotas(store))
    describe('uploads', () => describeUploads(store))
    describe('events and pulls', () => describeEvents(store))
    describe('reads after a write', () => describeFreshReads(store))
    describe('at the same time', () => describeRaces(store))
    describe('users', () => describeUsers(store))
    describe('tokens', () => describeTokens(store))
    describe('rules', () => describeRules(store))
    describe('issuers', () => describeIssuers(store))
    describe('signing keys', () => describeSigningKeys(store))
    describe('the version of access', () => describeAccessVersion(store))
    describe('accounts at the same time', () => describeAccountRaces(store))
    describe('limits at the same time', () => describeQuotaRaces(store))
    describe('what is unused', () => describeUnused(store))
    describe('garbage collection', () => describeGarbage(store))
    describe('garbage collection at the same time', () => describeGarbageRaces(store))
    describe('garbage collection in random histories', () => describeGarbageHistories(store))

    describe('retention', () => describeRetention(store))
    describe('removed tags', () => describeRestores(store))

    describe('in quarantine', () => describeQuarantine(store))
    describe('an inspection', () => describeInspection(store))

    describe('life', () => {
      it('says what sort of store it is, and that it can read and write', async () => {
        expect(store().kind).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        await store().check()
        await store().check()
      })

      it('can be disposed of twice, and then refuses to write', async () => {
        await store()[Symbol.asyncDispose]()
        await store()[Symbol.asyncDispose]()
        await expect(store().check()).rejects.toThrow(/clos|end/i)
      })
    })
  })
}
