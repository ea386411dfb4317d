import { notifications } from "@mantine/notifications";

import { messageOf, Problem } from "@/lib/problem";

export const toastDone = (message: string): void => {
  notifications.show({ message, color: "green", autoClose: 4_000 });
};

/** Says what was refused; the request id lets whoever reads the log find it. */
export const toastProblem = (title: string, error: unknown): void => {
  const request = error instanceof Problem && error.requestId !== null ? ` (request ${error.requestId})` : "";
  notifications.show({ title, message: messageOf(error) + request, color: "red", autoClose: 12_000 });
};
