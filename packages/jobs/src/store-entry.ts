/** `@genstage/jobs/store`: the contract of a store, for those who write one. Its suite is `storeContract` of `@genstage/jobs/testing`. */
export type * from './store.ts'
export { JobsError } from './errors.ts'
export type { JobsErrorCode, JobsErrorDetails } from './errors.ts'
