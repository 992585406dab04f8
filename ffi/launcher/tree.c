/* Directories made, held and removed. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int make_directories(const char *path, mode_t mode)
{
  char part[PATH_SIZE];
  struct stat found;
  if (stat(path, &found) == 0) return 0;
  snprintf(part, sizeof part, "%s", path);
  for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (mkdir(part, 0755) && errno != EEXIST && stat(part, &found)) return -1;
    *slash = '/';
  }
  if (mkdir(part, mode) == 0) return chmod(part, mode); /* whatever the umask */
  return errno == EEXIST ? 0 : -1;
}

void remove_tree(int parent, const char *name)
{
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *listing = fd < 0 ? NULL : fdopendir(fd);
  if (listing) {
    for (struct dirent *entry; (entry = readdir(listing));) {
      if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
      if (unlinkat(fd, entry->d_name, 0)) remove_tree(fd, entry->d_name);
    }
    closedir(listing);
  } else if (fd >= 0) {
    close(fd);
  }
  unlinkat(parent, name, AT_REMOVEDIR);
}

int hold_directory(int parent, const char *name)
{
  struct stat held, named;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) return -1;
  while (flock(fd, LOCK_SH) && errno == EINTR) continue;
  /* Removed or replaced while we waited for the lock? */
  if (fstat(fd, &held) == 0 && fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      held.st_ino == named.st_ino && held.st_dev == named.st_dev)
    return fd;
  close(fd);
  return -1;
}

void discard_tree(int parent, const char *name)
{
  char trash[NAME_SIZE];
  snprintf(trash, sizeof trash, ".trash-%d", getpid());
  remove_tree(parent, renameat(parent, name, parent, trash) ? name : trash);
}

/* The lock is held until the name is gone, so nobody can begin to hold it. */
void remove_unless_held(int parent, const char *name)
{
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) discard_tree(parent, name);
  close(fd);
}
