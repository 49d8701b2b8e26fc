CREATE {{alias}} SCALAR SCRIPT {{schema}}."EXATRUST_TRIAL_SCRIPT" () RETURNS DECIMAL(9,0) AS
def run(ctx):
    return 1
