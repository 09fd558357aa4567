"""The naive reference, part 2: threads to chains by the words of the policy `alternating`, with dicts and lists.

One thread at a time. Loops instead of recursion, since a thread may be thousands of replies deep.

    chains = chains_of(posts_of_one_thread)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from naive_comments import Post


def by_thread(posts: Iterable[Post]) -> dict[str, list[Post]]:
    """The comments of each submission."""
    threads: dict[str, list[Post]] = {}
    for post in posts:
        threads.setdefault(post.thread, []).append(post)
    return threads


def age(post: Post) -> tuple[int, int, str]:
    """Earliest first; at the same second, the smallest id by length, then text."""
    return post.created_utc, len(post.id), post.id


def chains_of(posts: Sequence[Post]) -> list[list[Post]]:
    """Every comment of one thread in exactly one chain, first utterance first; chains of one included."""
    parent = parents_of(posts)
    replies: dict[str, list[Post]] = {post.id: [] for post in posts}
    for post in posts:
        if post.id in parent:
            replies[parent[post.id].id].append(post)
    top_down = [post for post in posts if post.id not in parent]
    for post in top_down:  # grows while it is read: parents before replies
        top_down.extend(replies[post.id])
    reach = reaches(top_down, parent, replies)
    chains: list[list[Post]] = []
    taken: set[str] = set()
    for post in top_down:
        if post.id not in taken:
            chain = chain_from(post, replies, reach)
            taken.update(one.id for one in chain)
            chains.append(chain)
    return chains


def parents_of(posts: Sequence[Post]) -> dict[str, Post]:
    """The comment that each comment answers; those that have to start a chain are left out."""
    here = {post.id: post for post in posts}
    parent: dict[str, Post] = {}
    for post in posts:
        kind, _, name = post.parent_id.partition("_")
        if kind == "t1" and name in here and name != post.id:
            parent[post.id] = here[name]
    safe: set[str] = set()  # known to come from a comment that starts a chain
    for post in posts:
        path = [post]
        on_path = {post.id}
        while path[-1].id not in safe and path[-1].id in parent:
            before = parent[path[-1].id]
            if before.id in on_path:
                circle = path[path.index(before) :]
                del parent[min(circle, key=age).id]
                break
            path.append(before)
            on_path.add(before.id)
        safe |= on_path
    return parent


def reaches(
    top_down: Sequence[Post], parent: dict[str, Post], replies: dict[str, list[Post]]
) -> dict[str, tuple[int, Post | None]]:
    """For each comment that continues its parent's chain: how many utterances come from it on, and who is next.

    Two people are then in turn, its author and its parent's, so what follows does not depend on what came before.
    """
    reach: dict[str, tuple[int, Post | None]] = {}
    for post in reversed(top_down):
        if post.id not in parent:
            continue
        other = parent[post.id].author
        fitting = [one for one in replies[post.id] if one.author == other and other != post.author]
        following = farthest(fitting, reach)
        reach[post.id] = (1, None) if following is None else (1 + reach[following.id][0], following)
    return reach


def farthest(fitting: Sequence[Post], reach: dict[str, tuple[int, Post | None]]) -> Post | None:
    """The reply with the longest continuation; of equal ones the oldest."""
    return min(fitting, key=lambda one: (-reach[one.id][0], age(one)), default=None)


def chain_from(first: Post, replies: dict[str, list[Post]], reach: dict[str, tuple[int, Post | None]]) -> list[Post]:
    """The chain that `first` starts: anybody else may answer it, then the two take turns."""
    chain = [first]
    following = farthest([one for one in replies[first.id] if one.author != first.author], reach)
    while following is not None:
        chain.append(following)
        following = reach[following.id][1]
    return chain
