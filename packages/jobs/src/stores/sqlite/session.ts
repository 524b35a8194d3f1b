import type { Hint } from '../../store.ts'
import { Book } from './book.ts'
import { Claims } from './claims.ts'
import { Statements } from './statements.ts'

/** What the operations of a transaction work with: the statements, the book, the claims, the time, and what is to be told afterwards. */
export class Session extends Statements {
  readonly book: Book = new Book(this)
  readonly claims: Claims = new Claims()
  /** The store's time of this transaction, milliseconds since 1970. */
  now = 0
  /** The same moment by the monotonic clock, which leases go by. */
  time = 0
  /** Told when this transaction is durable. */
  hints: Hint[] = []
}
