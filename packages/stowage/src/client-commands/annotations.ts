import { readFile } from 'node:fs/promises'
import type { Annotations } from '@stowage/oci'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { parseJson } from './parse-json.ts'

/** Annotations by what they are of: `$manifest`, `$config`, or the title of a file. */
export type AnnotationFile = Readonly<Record<string, Annotations>>

/** `key=value`, several times. @throws {StowageError} `usage` */
export const parseAnnotations = (given: readonly string[]): Annotations => {
  const annotations: Record<string, string> = {}
  for (const text of given) {
    const equals = text.indexOf('=')
    if (equals < 1) throw new StowageError('usage', `--annotation must be key=value, not ${show(text)}.`)
    const key = text.slice(0, equals)
    if (Object.hasOwn(annotations, key)) throw new StowageError('usage', `The annotation ${show(key)} is given twice.`)
    annotations[key] = text.slice(equals + 1)
  }
  return annotations
}

/** A JSON file as oras has it. @throws {StowageError} `usage` for a member that is not an object of text */
export const readAnnotationFile = async (path: string): Promise<AnnotationFile> => {
  const value = parseJson(await readFile(path), path)
  if (!isObject(value)) throw wrong(path, 'must be an object')
  for (const [of, annotations] of Object.entries(value)) {
    if (!isObject(annotations)) throw wrong(path, `${show(of)} must be an object`)
    for (const [key, text] of Object.entries(annotations)) {
      if (typeof text !== 'string') throw wrong(path, `${show(of)}: ${show(key)} must be text`)
    }
  }
  return value as AnnotationFile
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (path: string, problem: string): StowageError =>
  new StowageError('usage', `${path}: ${problem}.`, {
    hint: 'Write it as in {"$manifest": {"key": "value"}, "file.txt": {"key": "value"}}.',
  })
