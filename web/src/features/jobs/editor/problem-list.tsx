import classes from "./editor.module.css";
import type { EditorProblem } from "./problems";

/** What is wrong, line by line; a click leads there. */
export const ProblemList = ({ problems, state, onJump }: { problems: readonly EditorProblem[]; state: "checking" | "checked" | "unchecked"; onJump: (problem: EditorProblem) => void }) => {
  if (problems.length === 0)
    return (
      <div className={classes.well} role="status" aria-label="Problems">
        {state === "checking" ? <span className="quiet">Checking…</span> : state === "checked" ? "✓ No problems" : <span className="quiet">The server could not be asked; by its schema nothing is wrong.</span>}
      </div>
    );
  return (
    <ul className={classes.problems} aria-label="Problems" tabIndex={0}>
      {problems.map((problem, index) => (
        <li key={index}>
          <button type="button" onClick={() => onJump(problem)}>
            <span className={classes.line}>line {problem.line}</span>
            <span>{problem.path !== "" && <span className="mono quiet">{problem.path} </span>}{problem.message}</span>
          </button>
        </li>
      ))}
    </ul>
  );
};
