export { exitCodes, type Failure, type Problem, StowageError } from './failure.ts'
export { serve, type ServeOptions, type Serving } from './serve.ts'
