import { Button } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";

import { ParameterInput } from "@/ui/parameters/parameter-input";
import { begun, type Filled, filledWith, narrowed, parametersOf, refusalOf } from "@/ui/parameters/model";
import { useEditing } from "./context";
import { edit } from "./document";
import classes from "./editor.module.css";
import { ParameterCard } from "./parameter-card";

const freshName = (taken: readonly string[]): string => {
  for (let count = taken.length + 1; ; count += 1) {
    const name = `parameter_${count}`;
    if (!taken.includes(name)) return name;
  }
};

/** What people will be asked, as they will see it; nothing that is filled in here is kept. */
const Preview = () => {
  const { definition } = useEditing();
  const declared = parametersOf(definition);
  const [tried, setTried] = useState<Filled>({});
  const filled = { ...begun(declared), ...Object.fromEntries(Object.entries(tried).filter(([name]) => declared.some((parameter) => parameter.name === name))) };
  const parameters = narrowed(declared, filled);
  return (
    <section className={classes.preview} aria-label="What people will be asked">
      <p className="quiet">What people will be asked when they run it. Try it: nothing here is kept.</p>
      <div className={classes.row}>
        {parameters.map((parameter) => {
          const value = filled[parameter.name] ?? "";
          const fits = (typeof value === "boolean") === (parameter.type === "boolean" && !parameter.choices) && Array.isArray(value) === (parameter.type === "multi");
          return <ParameterInput preview key={parameter.name} parameter={parameter} value={fits ? value : ""} error={parameter.name in tried && fits ? refusalOf(parameter, value) : null}
            onChange={(next) => setTried(filledWith(declared, { ...filled, ...tried }, parameter.name, next))} />;
        })}
      </div>
    </section>
  );
};

/** The parameters of a job, and the form that they make. */
export const ParametersForm = () => {
  const { text, definition, write } = useEditing();
  const parameters = parametersOf(definition);
  const add = (): void => {
    const name = freshName(parameters.map((parameter) => parameter.name));
    write(edit(text, ["parameters", name], { type: "string" }), `add ${Date.now()}`);
  };
  return (
    <>
      <div className={classes.steps}>
        {parameters.map((parameter, index) => <ParameterCard key={index} parameter={parameter} />)}
      </div>
      <Button variant="default" mt={parameters.length > 0 ? "xs" : 0} leftSection={<Plus size={15} />} onClick={add}>Add a parameter</Button>
      {parameters.length > 0 && <Preview />}
    </>
  );
};
