import type { ReactNode } from "react";

import classes from "./grid.module.css";

export interface GridColumn<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  end?: boolean;
}

/** A small table whose rows may be of any height. For long lists there is `DataTable`. */
export const Grid = <Row,>({ label, columns, rows, idOf }: {
  label: string;
  columns: readonly GridColumn<Row>[];
  rows: readonly Row[];
  idOf: (row: Row) => string;
}) => (
  <div className={classes.frame} tabIndex={0} role="region" aria-label={`${label}, table`}>
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>{columns.map(({ id, header, end }) => <th key={id} scope="col" className={end ? classes.end : ""}>{header}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={idOf(row)}>
            {columns.map(({ id, header, cell, end }) => <td key={id} data-header={header} className={end ? classes.end : ""}>{cell(row)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
