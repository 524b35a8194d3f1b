/** The program of a thread. It stands beside this file, be that source, an ES module or CommonJS, and has the same ending. */
export const program: URL = new URL(import.meta.url.replace(/[^/]*(\.[cm]?[jt]s)(\?.*)?$/, 'thread$1'))
