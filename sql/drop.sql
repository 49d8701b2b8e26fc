DROP {{kind}} IF EXISTS {{schema}}.{{name}}
