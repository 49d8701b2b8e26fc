CREATE OR REPLACE {{alias}} SCALAR SCRIPT {{schema}}.{{script}}() RETURNS VARCHAR(200) AS
%scriptclass com.exasol.Look;
class Look {
    static String run(ExaMetadata meta, ExaIterator rows) {
        return meta.getScriptLanguage();
    }
}
