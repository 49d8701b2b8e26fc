IMPORT INTO <table> FROM CSV AT {{url}} PUBLIC KEY {{pin}} FILE '<file>'
