import { Observable, ReplaySubject, type Subject } from 'rxjs'

/**
 * A subject in the hands of a test, and the same as an observable that counts how often a subscriber let go of it before its end.
 * What is pushed before anybody has subscribed is kept.
 */
export function watchedSubject<T>(): { subject: Subject<T>; watched: Observable<T>; releases(): number; subscribed(): number } {
  const subject = new ReplaySubject<T>()
  let releases = 0
  let subscribed = 0
  const watched = new Observable<T>(subscriber => {
    subscribed++
    const subscription = subject.subscribe(subscriber)
    return () => {
      releases++
      subscription.unsubscribe()
    }
  })
  return { subject, watched, releases: () => releases, subscribed: () => subscribed }
}
