/**
 * `@genstage/core/adapters`: what packages of stages and adapters share with core. How options are checked and a refusal is told (own
 * properties only, unknown ones refused with a suggestion, the message with the name, the value and what is allowed), how a stage that
 * is killed lets go of what it has opened, and `fromPush` under another name.
 */
export {
  abortSignal,
  badOption,
  delay,
  duration,
  flag,
  oneOf,
  optionsWithout,
  type OwnOptions,
  ownOptions,
  refuseUnknown,
  type Where,
  wholeNumber,
  within,
} from './options.ts'
export { pushSource } from './from-push.ts'
export { show, suggestion } from './errors.ts'
export { whenKilled } from './when-killed.ts'
