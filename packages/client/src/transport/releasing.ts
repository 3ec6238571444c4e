import type { Answer } from './answer.ts'

/** The same answer, which keeps its place in the lane until its body was read or left. */
export const releasing = (answer: Answer, leave: () => void): Answer => {
  const body = (async function* () {
    try {
      yield* answer.body
    } finally {
      leave()
    }
  })()
  const then = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } finally {
      leave()
    }
  }
  // Nobody reads what is not there.
  if (answer.empty) leave()
  return {
    ...answer,
    body,
    bytes: async (limit, subject) => then(answer.bytes(limit, subject)),
    glance: async (limit) => then(answer.glance(limit)),
    discard: async () => then(answer.discard()),
  }
}
