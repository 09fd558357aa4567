"""What every stage leaves behind: Parquet shards, rejected rows, a manifest written last, a lock and a call journal."""
