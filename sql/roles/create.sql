CREATE ROLE {{role}}
