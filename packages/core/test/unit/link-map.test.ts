import { describe, expect, it } from 'vitest'
import { LinkMap } from '../../src/link-map.ts'

const link = (id: string): { readonly id: string } => ({ id })

describe('LinkMap', () => {
  it('is empty at first', () => {
    const map = new LinkMap()
    expect([map.size, map.all(), map.get('a')]).toEqual([0, [], undefined])
  })

  it('finds the only link by its id alone', () => {
    const map = new LinkMap()
    const a = link('a')
    map.add(a)
    expect(map.get('a')).toBe(a)
    expect(map.get('b')).toBeUndefined()
    expect([map.size, map.all()]).toEqual([1, [a]])
  })

  it('keeps several in the order in which they were made', () => {
    const map = new LinkMap()
    const links = ['c', 'a', 'b'].map(link)
    for (const each of links) map.add(each)
    expect(map.all()).toEqual(links)
    expect(map.size).toBe(3)
    expect(map.get('a')).toBe(links[1])
  })

  it('forgets the only one', () => {
    const map = new LinkMap()
    map.add(link('a'))
    map.delete('b')
    expect(map.size).toBe(1)
    map.delete('a')
    expect([map.size, map.all(), map.get('a')]).toEqual([0, [], undefined])
  })

  it('forgets one of several, and goes on when the last has gone', () => {
    const map = new LinkMap()
    for (const id of ['a', 'b', 'c']) map.add(link(id))
    map.delete('b')
    expect(map.all().map(each => each.id)).toEqual(['a', 'c'])
    map.delete('a')
    map.delete('c')
    expect([map.size, map.all()]).toEqual([0, []])
    map.add(link('d'))
    expect(map.get('d')).toEqual({ id: 'd' })
    expect(map.size).toBe(1)
  })

  it('takes an id again that it had before', () => {
    const map = new LinkMap()
    map.add(link('a'))
    map.delete('a')
    map.add(link('a'))
    expect(map.size).toBe(1)
  })

  it('gives a list of its own: links may be deleted while it is read', () => {
    const map = new LinkMap()
    for (const id of ['a', 'b', 'c']) map.add(link(id))
    const seen: string[] = []
    for (const each of map.all()) {
      seen.push(each.id)
      map.delete(each.id)
    }
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(map.size).toBe(0)
  })
})
