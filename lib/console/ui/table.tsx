import type { ComponentChildren } from "preact";

/** A column of a {@link Table}. */
export interface Column<T> {
  readonly head: string;
  /** What stands in it; the first column's is the row's header. */
  readonly cell: (row: T) => ComponentChildren;
  /** To the right, as numbers are. */
  readonly right?: boolean;
}

/** What {@link Table} takes. */
export interface TableProps<T> {
  /** What it holds, for whoever cannot see it. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  /** What a row is known by. */
  readonly keyOf: (row: T) => string;
}

/** A table, for some dozens of rows; it scrolls sideways in its own frame where it is too wide. */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={caption}>
      <table class="table">
        <thead>
          <tr>
            {columns.map(({ head, right }) => (
              <th key={head} scope="col" class={right ? "right" : ""}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ head, cell, right }, index) =>
                index === 0
                  ? <th key={head} scope="row">{cell(row)}</th>
                  : <td key={head} class={right ? "right" : ""}>{cell(row)}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
