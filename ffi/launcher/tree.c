/* Directories made and removed. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
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
