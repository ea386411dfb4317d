import { Link } from "@tanstack/react-router";

/** The name of a cause; behind it stands what it means and what to do about it. */
export const CauseLink = ({ code }: { code: string }) => (
  <Link to="/help/causes/$code" params={{ code }} className="mono" title="What this means, and what to do about it">{code}</Link>
);
