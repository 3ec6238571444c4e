import { RegistryError } from '../../packages/registry/src/errors.ts'

/** Whether an error is one of the registry's own, of such a kind. */
export const isFault =
  (...faults: string[]) =>
  (error: unknown): boolean =>
    error instanceof RegistryError && faults.includes(error.fault)
