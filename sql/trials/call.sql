SELECT {{schema}}.{{script}}()
