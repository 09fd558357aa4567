"""Publishing a dataset: cards, licences, scans, staging and the Hub."""
