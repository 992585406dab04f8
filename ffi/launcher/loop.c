/* A loop device for a part of our own file. The one that exists already is used again: the mounts are one
 * file system then, with one page cache. */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TRIES 64

/* Does the device show this part of this file? */
static int shows(int device, const struct stat *file, const struct part *part)
{
  struct loop_info64 info;
  if (ioctl(device, LOOP_GET_STATUS64, &info)) return 0;
  return info.lo_inode == file->st_ino && info.lo_device == file->st_dev && info.lo_offset == (uint64_t)part->offset &&
         info.lo_sizelimit == (uint64_t)part->size && info.lo_flags & LO_FLAGS_READ_ONLY;
}

/* While it is open a device keeps its file, so what was seen stays true. */
static int find_device(const struct stat *file, const struct part *part, char device[PATH_SIZE])
{
  DIR *listing = opendir("/dev");
  int found = -1;
  if (!listing) return -1;
  for (struct dirent *entry; found < 0 && (entry = readdir(listing));) {
    int number, end = 0;
    if (sscanf(entry->d_name, "loop%d%n", &number, &end) != 1 || entry->d_name[end]) continue;
    snprintf(device, PATH_SIZE, "/dev/loop%d", number);
    found = open(device, O_RDONLY | O_CLOEXEC);
    if (found >= 0 && !shows(found, file, part)) {
      close(found);
      found = -1;
    }
  }
  closedir(listing);
  return found;
}

/* Before Linux 5.8 it takes two steps. */
static int configure_in_steps(int device, int file, const struct loop_info64 *info)
{
  if (ioctl(device, LOOP_SET_FD, file)) return -1;
  if (ioctl(device, LOOP_SET_STATUS64, info) == 0) return 0;
  int reason = errno;
  ioctl(device, LOOP_CLR_FD, 0);
  errno = reason;
  return -1;
}

static int configure(int device, int file, const struct part *part)
{
  struct loop_config config = { .fd = (uint32_t)file };
  config.info.lo_offset = (uint64_t)part->offset;
  config.info.lo_sizelimit = (uint64_t)part->size;
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  strcpy((char *)config.info.lo_file_name, "tproxy");
  if (ioctl(device, LOOP_CONFIGURE, &config) == 0) return 0;
  return errno == EINVAL || errno == ENOTTY || errno == ENOSYS ? configure_in_steps(device, file, &config.info) : -1;
}

int open_loop(int file, const struct part *part, char device[PATH_SIZE], struct failure *failure)
{
  struct stat self;
  if (fstat(file, &self)) return fail(failure, "%s", strerror(errno));
  int fd = find_device(&self, part, device);
  if (fd >= 0) return fd;

  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return fail(failure, "no loop device: /dev/loop-control: %s", strerror(errno));
  for (int tries = 0; tries < TRIES; tries++) {
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) {
      fail(failure, "no loop device: %s", strerror(errno));
      break;
    }
    snprintf(device, PATH_SIZE, "/dev/loop%d", number);
    fd = open(device, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      fail(failure, "%s: %s", device, strerror(errno));
      break;
    }
    if (configure(fd, file, part) == 0) break;
    int reason = errno;
    fail(failure, "%s: %s", device, strerror(reason));
    close(fd);
    fd = -1;
    if (reason != EBUSY) break; /* else somebody else was faster */
  }
  close(control);
  return fd;
}
