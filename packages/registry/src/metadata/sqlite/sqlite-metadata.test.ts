import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeMetadataStore } from '@stowage/testkit/contracts'
import { afterAll } from 'vitest'
import { sqliteMetadata } from './sqlite-metadata.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-metadata-'))
let count = 0

afterAll(() => rmSync(base, { recursive: true }))

const openFile = () => {
  count += 1
  return sqliteMetadata({ path: join(base, `${count}.db`) })
}

describeMetadataStore('SQLite in a file', openFile)
describeMetadataStore('SQLite in memory', () => sqliteMetadata({ path: ':memory:' }))
