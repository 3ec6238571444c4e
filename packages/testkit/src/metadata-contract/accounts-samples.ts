import type { IssuerRow, MetadataStore, RuleRow, SigningKeyRow, TokenRow, UserRow } from '@stowage/registry/metadata'
import { now } from './samples.ts'

export const user = (name: string, more: Partial<UserRow> = {}): UserRow => ({
  id: `id of ${name}`,
  name,
  administrator: false,
  groups: [],
  createdAt: now,
  passwordChangedAt: now,
  ...more,
})

/** A personal token of `user(name)`; or a refresh token, got with the password of the sample. */
export const token = (id: string, name: string, more: Partial<TokenRow> = {}): TokenRow => ({
  id,
  kind: 'personal',
  userId: `id of ${name}`,
  user: name,
  label: `for ${id}`,
  secretHash: 'ab'.repeat(32),
  createdAt: now,
  ...(more.kind === 'refresh' && more.parentId === undefined && { passwordChangedAt: now }),
  ...more,
})

export const rule = (
  subject: RuleRow['subject'],
  repositories: string,
  ...actions: RuleRow['actions']
): Omit<RuleRow, 'id'> => ({ subject, repositories, actions, createdAt: now })

export const issuer = (name: string, more: Partial<IssuerRow> = {}): IssuerRow => ({
  id: `id of ${name}`,
  name,
  issuer: `https://${name}.example`,
  audience: 'registry.example',
  conditions: { sub: 'repo:team/*' },
  permissions: [{ repositories: 'team/*', actions: ['pull', 'push'] }],
  createdAt: now,
  ...more,
})

export const signingKey = (id: string, more: Partial<SigningKeyRow> = {}): SigningKeyRow => ({
  id,
  algorithm: 'EdDSA',
  publicKey: `{"kid":"${id}"}`,
  sealedPrivateKey: 'sealed',
  createdAt: now,
  ...more,
})

/** By how much the version grows meanwhile. */
export const growth = async (store: MetadataStore, work: () => Promise<unknown>): Promise<number> => {
  const before = await store.accounts.accessVersion()
  await work()
  return (await store.accounts.accessVersion()) - before
}
