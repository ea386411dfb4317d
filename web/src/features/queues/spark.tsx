import classes from "./queues.module.css";

const WIDTH = 120;
const HEIGHT = 22;
const MINUTE = 60;

type Depths = readonly (number | null)[];

/** Points of each stretch without a gap. */
const stretches = (depths: Depths, slots: number, most: number): string[] => {
  const step = WIDTH / Math.max(slots - 1, 1);
  const from = slots - depths.length;
  const lines: string[][] = [[]];
  depths.forEach((depth, index) => {
    if (depth === null) lines.push([]);
    else lines.at(-1)?.push(`${((from + index) * step).toFixed(1)},${(HEIGHT - 1 - (depth / Math.max(most, 1)) * (HEIGHT - 3)).toFixed(1)}`);
  });
  return lines.filter((line) => line.length > 0).map((line) => line.join(" "));
};

/** In words what the line shows. */
export const depthWords = (depths: Depths, seconds: number): string => {
  const known = depths.filter((depth) => depth !== null);
  if (known.length === 0) return "Not looked at yet.";
  const minutes = Math.max(1, Math.round((depths.length * seconds) / MINUTE));
  return `Last ${minutes} min: at most ${Math.max(...known).toLocaleString("en")}, at least ${Math.min(...known).toLocaleString("en")}`;
};

/** How deep a queue was in the last hour, now at the right end. */
export const Spark = ({ depths, seconds, slots }: { depths: Depths; seconds: number; slots: number }) => {
  const words = depthWords(depths, seconds);
  if (depths.length < 2) return <span className="quiet" title={words}>–</span>;
  const most = Math.max(0, ...depths.map((depth) => depth ?? 0));
  return (
    <svg className={classes.spark} width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      {stretches(depths, slots, most).map((points) => <polyline key={points} points={points} />)}
    </svg>
  );
};
