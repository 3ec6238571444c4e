export { type Answer, type Door, doors, type OpenDoor, type SendOptions } from './doors.ts'
export type { Access } from './misbehaving/access.ts'
export {
  flipByte,
  lengthenBody,
  overrunBody,
  replaceBody,
  setHeader,
  shortenBody,
  withoutLength,
  wrongDigestHeader,
} from './misbehaving/alter.ts'
export type { AuthOptions } from './misbehaving/auth-options.ts'
export type { Behaviour, Call, Next, Origin, SeenRequest } from './misbehaving/call.ts'
export {
  brokenChallenges,
  type ChallengeFacts,
  type ChallengeForm,
  challengeForms,
} from './misbehaving/challenge-forms.ts'
export { challenge } from './misbehaving/challenge.ts'
export { cutBodyAfter, type CutOptions, cutUploadAfter, loseAnswer, loseRequest } from './misbehaving/cut.ts'
export { fail, type FailureBody, type FailureOptions } from './misbehaving/fail.ts'
export { hang, hangAfterHead, hangAfterRequest, hangBodyAfter } from './misbehaving/hang.ts'
export {
  chunkMinLength,
  earlierRange,
  ignoreArtifactType,
  ignoreRange,
  withoutChunks,
  withoutDeletion,
  withoutMount,
  withoutReferrersApi,
  withoutSinglePost,
  withoutSubjectHeader,
  withoutTagDeletion,
} from './misbehaving/lacks.ts'
export {
  type LinkForm,
  linkTo,
  linkToFreshPages,
  linkToItself,
  linkToTrap,
  malformedLinks,
  writeLink,
} from './misbehaving/links.ts'
export {
  type Endpoint,
  type MisbehavingOptions,
  type MisbehavingRegistry,
  startMisbehavingRegistry,
} from './misbehaving/misbehaving-registry.ts'
export {
  redirectEndlessly,
  type RedirectStatus,
  redirectTo,
  redirectToItself,
  redirectToTrap,
  redirectWithUserinfo,
} from './misbehaving/redirect.ts'
export {
  changing,
  type Ending,
  errorReply,
  type Header,
  jsonReply,
  type Outcome,
  reply,
  type Reply,
} from './misbehaving/reply.ts'
export type { Match, Rule, RuleOptions } from './misbehaving/rules.ts'
export type { TokenRequest, Tokens } from './misbehaving/tokens.ts'
export {
  type LocationForm,
  statefulUploads,
  uploadLocationOnTrap,
  withoutUploadLocation,
  writeUploadLocation,
} from './misbehaving/upload-locations.ts'
export { warn } from './misbehaving/warn.ts'
export { sample, type SampleImage } from './samples.ts'
export { selfSigned } from './self-signed.ts'
export { createTestRegistry, type TestRegistry } from './test-registry.ts'
