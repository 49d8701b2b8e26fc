DROP ROLE {{role}}
