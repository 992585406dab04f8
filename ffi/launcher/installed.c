/* The installed form: a package has brought the files. Whether they are whole is the package manager's
 * business; that they belong to this launcher is ours, for a half-done upgrade is not rare. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Opens a layer's directory; its path as well. */
static int open_layer(const char *library, const struct layer *layer, char path[PATH_SIZE], struct failure *failure)
{
  if (snprintf(path, PATH_SIZE, "%s/%s", library, layer->name) >= PATH_SIZE - NAME_SIZE)
    return fail(failure, "the path %s is too long", library);
  if (strpbrk(path, ":;$")) return fail(failure, "the loader cannot use a path with ':', ';' or '$': %s", path);
  int fd = open(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fail(failure, "cannot open %s: %s. Install the package again", path, strerror(errno));
  const char *missing = missing_file(layer, fd, 0);
  if (!missing) return fd;
  close(fd);
  return fail(failure, "%s/%s is missing, or is not the one of this version. Install the package again", path, missing);
}

int installed_prepare(const struct payload *payload, struct ready *ready, struct failure *failure)
{
  char library[PATH_SIZE];
  snprintf(library, sizeof library, "%s", payload->path);
  for (int up = 0; up < 2; up++) { /* the file, and bin */
    char *slash = strrchr(library, '/');
    if (slash) *slash = 0;
  }
  if (snprintf(library + strlen(library), sizeof library - strlen(library), "/lib/tproxy") >= (int)sizeof library)
    return fail(failure, "the path %s is too long", payload->path);
  ready->runtime = open_layer(library, payload->runtime, ready->runtime_path, failure);
  if (ready->runtime < 0) return -1;
  ready->program = open_layer(library, payload->program, ready->program_path, failure);
  return ready->program < 0 ? -1 : 0;
}
