CREATE TABLE dose_response (
    stage VARCHAR NOT NULL,
    boost DOUBLE NOT NULL,
    replies BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    share DOUBLE,
    low DOUBLE,
    high DOUBLE,
    well_formed BIGINT
);
COMMENT ON TABLE dose_response IS 'One row an amount of boost: how many replies show a boosted word.';
COMMENT ON COLUMN dose_response.stage IS 'The steering stage.';
COMMENT ON COLUMN dose_response.boost IS 'Amount of boost; 0 is unsteered.';
COMMENT ON COLUMN dose_response.replies IS 'Replies that can be read.';
COMMENT ON COLUMN dose_response.hits IS 'Those that show a boosted word in its slot.';
COMMENT ON COLUMN dose_response.share IS 'hits / replies.';
COMMENT ON COLUMN dose_response.low IS 'Lower 95% Wilson limit.';
COMMENT ON COLUMN dose_response.high IS 'Upper 95% Wilson limit.';
COMMENT ON COLUMN dose_response.well_formed IS 'Replies whose tags are well-formed.';
