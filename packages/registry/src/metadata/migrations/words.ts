/** The words in which the two databases differ. */
export const words = {
  sqlite: {
    // Compares byte by byte unless told otherwise.
    text: 'text',
    integer: 'integer',
    bytes: 'blob',
    id: 'integer primary key',
    // Without this word SQLite uses the number of a deleted last row again.
    sequence: 'integer primary key autoincrement',
    end: ' strict',
    // Rows live in the index of their key: one search instead of two. Pays where rows are small.
    endSmall: ' strict, without rowid',
  },
  postgres: {
    // Pages follow each other in byte order, whatever the locale of the database.
    text: 'text collate "C"',
    integer: 'bigint',
    bytes: 'bytea',
    id: 'bigint generated always as identity primary key',
    sequence: 'bigint generated always as identity primary key',
    end: '',
    endSmall: '',
  },
}
