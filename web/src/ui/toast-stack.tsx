import { Notifications } from "@mantine/notifications";
import "@mantine/notifications/styles.css";

/** Where toasts appear. Stands once in the application, loaded after the first page. */
const ToastStack = () => <Notifications position="bottom-right" />;

export default ToastStack;
