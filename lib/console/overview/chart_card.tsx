import { classes } from "../ui/classes.ts";
import { Chart, type Line } from "./chart.tsx";
import { figureOf } from "./figure.ts";

/** What {@link ChartCard} takes. */
export interface ChartCardProps {
  readonly title: string;
  readonly seconds: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  readonly steps?: readonly number[] | undefined;
  /** Which second's values are written; undefined for the newest ones that are known. */
  readonly at: number | undefined;
  /** More than the lines say. */
  readonly note?: string | undefined;
  readonly onPoint: (index: number | undefined) => void;
}

/** A chart with its name, and the values of one second as text. */
export function ChartCard({ title, lines, format, at, note, ...rest }: ChartCardProps) {
  return (
    <section class="card chart-card" aria-label={title}>
      <div class="chart-head">
        <h2>{title}</h2>
        {note !== undefined && <span class="muted">{note}</span>}
      </div>
      <dl class="legend">
        {lines.map(({ label, colour, values }) => {
          const { value, isOld } = figureOf(values, at);
          return (
            <div key={label}>
              <dt>
                <i class="swatch" style={{ background: `var(${colour})` }} />
                {label}
              </dt>
              <dd
                class={classes("number", isOld && "muted")}
                title={isOld ? "What was known last" : undefined}
              >
                {value === undefined ? "–" : format(value)}
              </dd>
            </div>
          );
        })}
      </dl>
      <Chart lines={lines} format={format} {...rest} />
    </section>
  );
}
