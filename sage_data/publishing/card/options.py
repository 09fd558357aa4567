"""What a person says about a dataset, beside what its folders say themselves.

CardFields(title="Small talk", license="cc0-1.0")     # base of the options of `sage data card` and `publish`
CardOptions(title="Small talk", text_withheld=True)   # what `write_card` is given
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sage_data.store.manifest import Counts


class CardFields(BaseModel):
    """What only a person can say; everything else on a card is read from the folders.

    A stage whose Config inherits from this takes each field as an option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(default="", description="Title of the card and `pretty_name`; the repository's name if empty.")
    repo: str = Field(default="", description="Where it will be published, such as me/small-talk.")
    summary: str = Field(default="", description="One paragraph on what the dataset is for.")
    license: str | None = Field(
        default=None,
        description="Licence id of the Hub that the dataset is given; the least that its sources allow if not given.",
    )
    license_name: str | None = Field(default=None, description="Name of the licence when its id is `other`.")
    license_link: str | None = Field(default=None, description="Link to the licence when its id is `other`.")
    cleared: tuple[str, ...] = Field(
        default=(),
        description="Name of a source whose licence is unknown and whose use you have cleared; stated on the card.",
    )
    language: tuple[str, ...] = Field(default=("en",), description="ISO 639 code of a language of the dialogues.")
    authors: tuple[str, ...] = Field(default=(), description="An author of the dataset, for its citation.")
    year: int | None = Field(default=None, ge=1900, le=9999, description="Year of publication, for its citation.")
    citation: str = Field(default="", description="BibTeX of the dataset, instead of the entry that the card makes.")
    contact: str = Field(default="", description="Whom to ask for removal; the repository's discussions if empty.")
    tags: tuple[str, ...] = Field(default=(), description="A further tag for the Hub's search.")
    shown_tags: int = Field(default=10, ge=1, le=100, description="How many of the most frequent tags a table shows.")
    example: bool = Field(default=True, description="Show one dialogue.")

    def said(self) -> list[tuple[str, str]]:
        """(option, words) of everything that is given in words, as it was given."""
        listed = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [
            (name, one)
            for name, value in listed
            for one in (value if isinstance(value, tuple) else (value,))
            if isinstance(one, str)
        ]


class CardOptions(CardFields):
    """All that `write_card` needs besides the configs."""

    text_withheld: bool = False
    """The published tables hold no text: the example shows ids and tags alone, and the card says how to get it."""
    scans: tuple[tuple[str, int], ...] = ()
    """What the published files were scanned for, with the number of hits; empty: they were not scanned."""
    counts: tuple[Counts, ...] = ()
    """What publishing itself left out; counts that dropped nothing are not shown."""
    overrides: tuple[str, ...] = ()
    """What was published although a check spoke against it, in words; stated on the card."""
    personal_data: str = ""
    """What a person adds to the personal-data statement: plain text, paragraphs parted by empty lines."""
    biases: str = ""
    """What a person adds to biases and limits: plain text, paragraphs parted by empty lines."""
