import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { followColours } from "../theme.ts";
import { formatTime } from "../ui/format.ts";
import { lonePoints, markSpace } from "./chart_marks.ts";

/** A line of a {@link Chart}. */
export interface Line {
  readonly label: string;
  /** A colour's custom property, such as `--line-1`. */
  readonly colour: string;
  /** One a second; null makes a hole. */
  readonly values: readonly (number | null)[];
}

/** What {@link Chart} takes. */
export interface ChartProps {
  /** Seconds since 1970, for all lines. */
  readonly seconds: readonly number[];
  /** Always as many of them as at first. */
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** Between which round numbers the scale may have its marks. @default those of the decimal system */
  readonly steps?: readonly number[] | undefined;
  /** Told which second the pointer is at, over whichever chart; undefined where it is at none. */
  readonly onPoint: (index: number | undefined) => void;
}

/** Pixels of the scale and of a time label, letters of that, and seconds that may lie between two. */
const WIDE = { axis: 52, space: 66, letters: "12:34:56".length, times: [15, 30, 60, 120, 300] };
const NARROW = { axis: 46, space: 38, letters: "12:34".length, times: [60, 120, 300] };
const NARROW_MOST = 200;
const AXIS_HEIGHT = 22;
const POINT_SIZE = 4;
const FILL_ALPHA = 0.1;

/** Lines over time, drawn by uPlot; what they say stands beside it as text. */
export function Chart({ seconds, lines, steps, format, onPoint }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ format, onPoint });
  latest.current = { format, onPoint };

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const drawn = draw(element, { lines, steps, latest });
    plot.current = drawn;
    const observer = new ResizeObserver(() =>
      drawn.setSize({ width: element.clientWidth, height: element.clientHeight })
    );
    observer.observe(element);
    const unfollow = followColours(() => drawn.redraw(false));
    return () => {
      observer.disconnect();
      unfollow();
      drawn.destroy();
    };
  }, []);

  useEffect(() => {
    plot.current?.setData([[...seconds], ...lines.map(({ values }) => [...values])]);
  }, [seconds]);

  return <div class="chart" ref={frame} aria-hidden="true" />;
}

interface Drawing {
  readonly lines: readonly Line[];
  readonly steps: readonly number[] | undefined;
  readonly latest: { readonly current: Pick<ChartProps, "format" | "onPoint"> };
}

function draw(element: HTMLElement, { lines, steps, latest }: Drawing): uPlot {
  const colour = (name: string) => () => colourOf(element, name);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: colour("--muted"), font, ticks: { show: false } };
  return new uPlot(
    {
      width: element.clientWidth,
      height: element.clientHeight,
      padding: [6, 6, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: "overview" },
        points: { size: 6 },
      },
      scales: { y: { range: (_, __, most) => [0, ceiling(most)] } },
      axes: [
        {
          ...axis,
          size: AXIS_HEIGHT,
          grid: { show: false },
          splits: ({ scales: { x }, width }) =>
            timesIn({ from: x?.min ?? 0, to: x?.max ?? 0, width }),
          values: ({ width }, splits) =>
            splits.map((second) => formatTime(second * 1_000).slice(0, layoutOf(width).letters)),
        },
        {
          ...axis,
          size: ({ width }) => layoutOf(width).axis,
          gap: 4,
          space: (_plot, _axis, _least, _most, pixels) => markSpace(pixels),
          ...(steps === undefined ? {} : { incrs: [...steps] }),
          grid: { stroke: colour("--border"), width: 1 },
          values: (_, splits) => splits.map((value) => latest.current.format(value)),
        },
      ],
      series: [
        {},
        ...lines.map(({ label, colour: name }, index) => ({
          label,
          stroke: colour(name),
          width: 1.75,
          points: {
            show: false,
            size: POINT_SIZE,
            width: 0,
            fill: colour(name),
            filter: ({ data }: uPlot, series: number) => {
              const lone = lonePoints(data[series] ?? []);
              return lone.length === 0 ? null : lone;
            },
          },
          ...(index === 0 ? { fill: () => thin(colourOf(element, name)) } : {}),
        })),
      ],
      hooks: {
        setCursor: [({ cursor }) => latest.current.onPoint(cursor.idx ?? undefined)],
      },
    },
    [[], ...lines.map(() => [])],
    element,
  );
}

/** Round times between two seconds, as many as have room. */
function timesIn({ from, to, width }: { from: number; to: number; width: number }): number[] {
  const { axis, space, times } = layoutOf(width);
  const least = (to - from) * space / (width - axis);
  const step = times.find((time) => time >= least) ?? times.at(-1) ?? 1;
  // a label is centred: nearer to an end it would be cut
  const margin = least / 2;
  const first = Math.ceil((from + margin) / step);
  const last = Math.floor((to - margin) / step);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

function layoutOf(width: number): typeof WIDE {
  return width < NARROW_MOST ? NARROW : WIDE;
}

/** The end of the scale: never nothing, so that a line of zeros lies at the bottom. */
function ceiling(most: number | null): number {
  return most === null || most <= 0 ? 1 : most * 1.1;
}

/** What a custom property is in the colours that are shown now. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function thin(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${FILL_ALPHA})`);
}
