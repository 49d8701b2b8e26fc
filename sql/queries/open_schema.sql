OPEN SCHEMA {{schema}}
