"""Responses on disk (LMDB, and a file for each large body): shared by the processes of one machine, which each open the
folder themselves, and kept over restarts and crashes.

What it promises, and what it does not:

- *A process is killed*, whatever it was doing: nothing that was saved is lost, nothing is there by half. LMDB commits a
  transaction or nothing of it, its locks and ours go with the process, and a body file that no record names yet is
  swept away by the next who opens the folder alone. Who died after a commit and before it had told of it leaves the
  others behind for a quarter of a second (upkeep.py).
- *A purge* is seen by every lookup in every process that begins after it was acknowledged (words.py says how).
- *The machine goes down*: what was saved in the last second may be missing. LMDB's pages may have reached the disk out
  of order: every page is looked at when it is opened next, and a file that is damaged is set aside, with a warning.
  Records have a checksum. Body files are dropped then, for nobody can tell what is in them.
- *The disk is full* before the maximum is reached, or a quota is: what was not used makes room for what comes, for
  which a little room is had ahead (room.py); said once, with what to do. Whether there is more room is tried again
  every few seconds. LMDB's file never becomes smaller: a large body takes the place of other large ones alone, and is
  not kept where all of them would not do. File systems that copy on write (btrfs, ZFS) promise no room ahead: where
  what is written there fails, it is as below.
- *The disk fails*: what cannot be saved is not kept, what cannot be read is not there; counted, and said once. A purge
  that cannot be written counts everything as purged that was fetched before it, also after a restart.
- *The folder is deleted, moved or replaced while it is in use*: each process sees that within a quarter of a second,
  and whenever it acknowledges a purge. It says so, counts everything as purged, and goes on in the folder that then has
  the name; what is in force (the deployment, the moved clock) is said there again.
- *A process stands still in the middle of a change*: the others read on. Their changes are given up after a second, and
  a purge counts everything as purged after ten.
- Not for folders on network file systems: their locks and shared memory are not good enough for LMDB.
"""
