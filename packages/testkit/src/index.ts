export { type Answer, type Door, doors, type OpenDoor, type SendOptions } from './doors.ts'
export { sample, type SampleImage } from './samples.ts'
export { createTestRegistry, type TestRegistry } from './test-registry.ts'
