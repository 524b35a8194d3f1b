/**
 * `@genstage/core/options`: how options are checked, and how a refusal is told, for packages that build on core and want to do it in
 * the same way: own properties only, unknown ones refused with a suggestion, the message with the name, the value and what is allowed.
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
export { show, suggestion } from './errors.ts'
