// SPDX-License-Identifier: Apache-2.0
#pragma once

// Objects as files below one folder, NAME at ROOT/NAME. Made for one machine; several processes may
// share the folder.
//
//   write ROOT/.part/OWN/N -> fsync -> rename or link to ROOT/NAME -> fsync the folder of NAME
//
// Each store writes its unfinished objects into a folder of its own, which it holds by a lock. What
// a process that died left there is removed when the next one opens the store: its lock is free.
//
// A failed fsync is never tried again: the kernel may have dropped what it could not write and
// would answer the second call with success. The object that was being written has failed, and
// unless the disk was only full the store refuses every further change (Error{kUnavailable}) until
// it is opened anew, because it can no longer say what is on the disk. Reading goes on.
//
// An object cannot be named like the folder of another ("a" beside "a/b"): Error{kConflict}.

#include "core/random.h"
#include "storage/files.h"
#include "storage/objects.h"

#include <memory>
#include <string>

namespace colophon::storage {

// Makes the folder when there is none (its parent must exist). `files` and `random` must outlive
// the store.
Result<std::unique_ptr<ObjectStore>> open_directory_objects(std::string root, Files& files,
                                                            Random& random);

}  // namespace colophon::storage
