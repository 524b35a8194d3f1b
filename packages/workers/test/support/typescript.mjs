// Given to threads by `--import`: Node 20 does not read TypeScript, and tsx in the process does not reach its threads.
import { register } from 'tsx/esm/api'

register()
