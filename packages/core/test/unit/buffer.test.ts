import { describe, expect, it } from 'vitest'
import { Buffer, type Taken } from '../../src/buffer.ts'

function bufferOf(size: number, keep: 'first' | 'last', ...events: readonly unknown[]): Buffer {
  const buffer = new Buffer(size, keep)
  buffer.store(events)
  return buffer
}

const nothing: Taken = { events: [], infos: [] }

describe('Buffer', () => {
  it('T169 GS-B11 X19 counts events only, not infos', () => {
    for (const size of [10, Infinity]) {
      const buffer = bufferOf(size, 'first', 'a', 'b')
      buffer.attach('info 1')
      buffer.attach('info 2')
      expect(buffer.length).toBe(2)
    }
  })

  it('T170 GS-B3 discards all newcomers when it is full and keeps the first', () => {
    const buffer = bufferOf(3, 'first', 'a', 'b', 'c')
    expect(buffer.store(['d', 'e', 'f'])).toEqual({ discarded: ['d', 'e', 'f'], infos: [] })
    expect(buffer.length).toBe(3)
    expect(buffer.take(3)).toEqual({ events: ['a', 'b', 'c'], infos: [] })
  })

  it('GS-B3 takes as many newcomers as fit when it keeps the first', () => {
    const buffer = bufferOf(3, 'first', 'a')
    expect(buffer.store(['b', 'c', 'd', 'e']).discarded).toEqual(['d', 'e'])
    expect(buffer.take(9).events).toEqual(['a', 'b', 'c'])
  })

  it('T171 GS-B2 takes 1000 events without a bound and discards none', () => {
    for (const keep of ['first', 'last'] as const) {
      const buffer = new Buffer(Infinity, keep)
      const events = Array.from({ length: 1_000 }, (_, index) => index)
      expect(buffer.store(events)).toEqual({ discarded: [], infos: [] })
      expect(buffer.length).toBe(1_000)
      expect(buffer.take(1_000).events).toEqual(events)
    }
  })

  it('T172 GS-B4 keeps the newest and reports the discarded when it keeps the last', () => {
    const buffer = bufferOf(3, 'last', 'a', 'b', 'c')
    expect(buffer.store(['d', 'e', 'f'])).toEqual({ discarded: ['a', 'b', 'c'], infos: [] })
    expect(buffer.take(3)).toEqual({ events: ['d', 'e', 'f'], infos: [] })
  })

  it('GS-B4 discards the oldest newcomers too when one store brings more than fits at all', () => {
    const buffer = bufferOf(3, 'last', 'a', 'b')
    expect(buffer.store(['c', 'd', 'e', 'f', 'g']).discarded).toEqual(['a', 'b', 'c', 'd'])
    expect(buffer.take(9).events).toEqual(['e', 'f', 'g'])
  })

  it('GS-B6 tells of each store on its own', () => {
    const buffer = bufferOf(2, 'last', 'a', 'b')
    expect(buffer.store(['c']).discarded).toEqual(['a'])
    expect(buffer.store(['d', 'e']).discarded).toEqual(['b', 'c'])
    expect(buffer.store([]).discarded).toEqual([])
  })

  it('T173 GS-B9 sets the infos free whose event is pushed out', () => {
    const buffer = bufferOf(3, 'last', 'a', 'b')
    buffer.attach('info 1')
    buffer.attach('info 2')
    expect(buffer.store(['c', 'd', 'e'])).toEqual({ discarded: ['a', 'b'], infos: ['info 1', 'info 2'] })
    expect(buffer.take(3)).toEqual({ events: ['c', 'd', 'e'], infos: [] })
  })

  it('GS-B9 keeps the infos whose event stays, also when one store pushes out more than there was', () => {
    const buffer = bufferOf(2, 'last', 'a', 'b')
    buffer.attach('after b')
    expect(buffer.store(['c'])).toEqual({ discarded: ['a'], infos: [] })
    buffer.attach('after c')
    expect(buffer.store(['d', 'e', 'f'])).toEqual({ discarded: ['b', 'c', 'd'], infos: ['after b', 'after c'] })
    buffer.attach('after f')
    expect(buffer.take(2)).toEqual({ events: ['e', 'f'], infos: ['after f'] })
  })

  it('GS-B9 leaves infos alone when it discards newcomers', () => {
    const buffer = bufferOf(2, 'first', 'a', 'b')
    buffer.attach('after b')
    expect(buffer.store(['c'])).toEqual({ discarded: ['c'], infos: [] })
    expect(buffer.take(2)).toEqual({ events: ['a', 'b'], infos: ['after b'] })
  })

  it('T174 GS-B8 refuses an info that has no event to wait for', () => {
    const buffer = new Buffer(10, 'last')
    expect(buffer.attach('info')).toBe(false)
    buffer.store(['a'])
    expect(buffer.attach('info')).toBe(true)
    buffer.take(1)
    expect(buffer.attach('info')).toBe(false)
  })

  it('T175 GS-B5 gives nothing when it is empty', () => {
    expect(new Buffer(10, 'last').take(5)).toEqual(nothing)
    const emptied = bufferOf(10, 'last', 'a')
    emptied.take(1)
    expect(emptied.take(5)).toEqual(nothing)
  })

  it('T176 GS-B5 GS-B8 stops right behind an event with infos: of 5 wanted come t1, t2, the info, and 3 are still wanted', () => {
    const buffer = bufferOf(10, 'first', 't1', 't2')
    buffer.attach('info')
    buffer.store(['t4'])
    const taken = buffer.take(5)
    expect(taken).toEqual({ events: ['t1', 't2'], infos: ['info'] })
    expect(5 - taken.events.length).toBe(3)
    expect(buffer.take(3)).toEqual({ events: ['t4'], infos: [] })
  })

  it('GS-B5 gives no info when fewer events are taken than come before it', () => {
    const buffer = bufferOf(10, 'first', 'a', 'b')
    buffer.attach('info')
    expect(buffer.take(1)).toEqual({ events: ['a'], infos: [] })
    expect(buffer.take(1)).toEqual({ events: ['b'], infos: ['info'] })
  })

  it('T177 GS-B10 gives the infos behind one event in the order in which they came', () => {
    const buffer = bufferOf(10, 'first', 'a', 'b')
    for (const info of ['i', 'j', 'k']) buffer.attach(info)
    expect(buffer.take(5)).toEqual({ events: ['a', 'b'], infos: ['i', 'j', 'k'] })
  })

  it('T178 GS-B5 GS-B10 gives groups of events and infos group by group', () => {
    const buffer = bufferOf(10, 'first', 1, 2)
    buffer.attach('a')
    buffer.attach('b')
    buffer.store([3, 4, 5])
    buffer.attach('c')
    buffer.attach('d')
    buffer.store([6])
    buffer.attach('e')
    expect(buffer.take(3)).toEqual({ events: [1, 2], infos: ['a', 'b'] })
    expect(buffer.take(4)).toEqual({ events: [3, 4, 5], infos: ['c', 'd'] })
    expect(buffer.take(2)).toEqual({ events: [6], infos: ['e'] })
    expect(buffer.take(1)).toEqual(nothing)
  })

  it('X19 GS-B13 gives an info with the event before it, without a bound as with one', () => {
    for (const size of [2, Infinity]) {
      const buffer = bufferOf(size, 'last', 'a')
      buffer.attach('info')
      buffer.store(['b'])
      expect(buffer.take(1)).toEqual({ events: ['a'], infos: ['info'] })
    }
  })

  it('X9 keeps nothing with a size of 0: every event is discarded, no info waits', () => {
    for (const keep of ['first', 'last'] as const) {
      const buffer = new Buffer(0, keep)
      expect(buffer.store([1, 2, 3])).toEqual({ discarded: [1, 2, 3], infos: [] })
      expect(buffer.length).toBe(0)
      expect(buffer.attach('info')).toBe(false)
      expect(buffer.take(1)).toEqual(nothing)
    }
  })

  it('takes events back to the front, with the infos behind them', () => {
    const buffer = bufferOf(10, 'last', 'a', 'b', 'c')
    buffer.attach('after c')
    buffer.store(['d'])
    buffer.attach('after d')
    const taken = buffer.take(3)
    buffer.giveBack(taken.events.slice(1), taken.infos)
    expect(buffer.length).toBe(3)
    expect(buffer.take(9)).toEqual({ events: ['b', 'c'], infos: ['after c'] })
    expect(buffer.take(9)).toEqual({ events: ['d'], infos: ['after d'] })
  })

  it('X21 gives events that came back before all others, in their order', () => {
    const buffer = bufferOf(10, 'last', 'c', 'd')
    buffer.putBack(['a', 'b'])
    expect(buffer.length).toBe(4)
    buffer.putBack(['y', 'z'])
    expect(buffer.take(3)).toEqual({ events: ['y', 'z', 'a'], infos: [] })
    expect(buffer.take(9)).toEqual({ events: ['b'], infos: [] })
    expect(buffer.take(9)).toEqual({ events: ['c', 'd'], infos: [] })
    expect(buffer.take(9)).toEqual(nothing)
  })

  it.each(['first', 'last'] as const)('X21 GS-B3 GS-B4 never gives up what came back, and does not count it (keep %s)', keep => {
    const buffer = bufferOf(2, keep)
    buffer.putBack(['a', 'b', 'c'])
    expect(buffer.store(['d', 'e'])).toEqual({ discarded: [], infos: [] })
    expect(buffer.store(['f'])).toEqual({ discarded: [keep === 'first' ? 'f' : 'd'], infos: [] })
    expect(buffer.take(9).events).toEqual(['a', 'b', 'c'])
    expect(buffer.take(9).events).toEqual(keep === 'first' ? ['d', 'e'] : ['e', 'f'])
  })

  it('X21 X9 keeps what came back with a size of 0 too', () => {
    const buffer = new Buffer(0, 'last')
    buffer.putBack(['a'])
    expect(buffer.store(['b'])).toEqual({ discarded: ['b'], infos: [] })
    expect(buffer.attach('after a')).toBe(true)
    expect(buffer.take(5)).toEqual({ events: ['a'], infos: ['after a'] })
    expect(buffer.length).toBe(0)
  })

  it('X21 GS-B8 keeps infos behind their events when others come back before them', () => {
    const buffer = bufferOf(10, 'last', 'c')
    buffer.attach('after c')
    buffer.putBack(['a', 'b'])
    expect(buffer.take(2)).toEqual({ events: ['a', 'b'], infos: [] })
    expect(buffer.take(2)).toEqual({ events: ['c'], infos: ['after c'] })
  })

  it('X21 GS-B8 keeps an info behind what came back, when there is nothing else, also when more comes back', () => {
    const buffer = new Buffer(10, 'last')
    buffer.putBack(['b', 'c'])
    buffer.attach('after c')
    buffer.store(['d'])
    buffer.putBack(['a'])
    expect(buffer.take(2)).toEqual({ events: ['a', 'b'], infos: [] })
    expect(buffer.take(2)).toEqual({ events: ['c'], infos: ['after c'] })
    expect(buffer.take(2)).toEqual({ events: ['d'], infos: [] })
  })

  it('X21 GS-B9 infos whose event was pushed out come when what came back has left', () => {
    const buffer = bufferOf(1, 'last', 'b')
    buffer.attach('after b')
    buffer.putBack(['a'])
    expect(buffer.store(['c'])).toEqual({ discarded: ['b'], infos: [] })
    expect(buffer.take(1)).toEqual({ events: ['a'], infos: ['after b'] })
    expect(buffer.take(1)).toEqual({ events: ['c'], infos: [] })
  })

  it('X21 takes them back when nobody could take them after all, with the infos behind them', () => {
    const buffer = new Buffer(1, 'last')
    buffer.putBack(['a', 'b'])
    buffer.attach('after b')
    buffer.store(['c'])
    const taken = buffer.take(2)
    buffer.giveBack(taken.events.slice(1), taken.infos)
    expect(buffer.store(['d'])).toEqual({ discarded: ['c'], infos: [] })
    expect(buffer.take(5)).toEqual({ events: ['b'], infos: ['after b'] })
    expect(buffer.take(5)).toEqual({ events: ['d'], infos: [] })
  })
})
