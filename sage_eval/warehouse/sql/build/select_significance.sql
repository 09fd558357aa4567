SELECT row_number() OVER () AS comparison, * FROM source
