/* The launcher of the portable file: finds the payload behind its own ELF image, unpacks it once
 * into a cache directory and becomes the Deno runtime that runs the program.
 *
 *   main.c            arguments, environment, exec
 *   payload.c         the index at the end of the file: which layers, which files
 *   unpack.c          one layer out of the file into a directory, checked by hash
 *   cache.c           layers on disk: made once, held while in use, removed when old
 *   place.c           which directory that is, and whether it can be trusted
 *   tree.c            directories made and removed
 *   user_namespace.c  `tproxy selftest` without root
 *   sha256.c          FIPS 180-4
 */
#ifndef TPROXY_LAUNCHER_H
#define TPROXY_LAUNCHER_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MAX_LAYERS 4
#define MAX_FILES 16     /* in one layer */
#define NAME_SIZE 64     /* names in the index, with the final zero */
#define PATH_SIZE 1024   /* paths that the launcher makes */
#define ERROR_SIZE 8192

/* Every unpacked file gets this modification time, so that a later write to it shows at the next start. */
#define UNPACKED_TIME 1000000000

/* A failure to explain. Functions return 0, or -1 with the text filled in (a sentence without final stop). */
struct failure {
  char text[ERROR_SIZE];
  int damaged; /* our own file is damaged: no other place will help */
};
int fail(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- payload.c ---- */
struct payload_file {
  char name[NAME_SIZE];
  mode_t mode;
  off_t size; /* unpacked */
};

struct layer {
  char name[NAME_SIZE];    /* "runtime" or "program" */
  char id[NAME_SIZE];      /* directory name in the cache: name, version and hash */
  uint8_t sha256[32];      /* of the compressed bytes */
  off_t offset, size;      /* of the compressed bytes in the file */
  off_t unpacked_size;     /* sum of the files */
  int file_count;
  struct payload_file files[MAX_FILES];
};

struct payload {
  int fd;                  /* the file itself, open for reading */
  char path[PATH_SIZE];    /* its absolute path */
  char version[NAME_SIZE]; /* of the program */
  int layer_count;
  struct layer layers[MAX_LAYERS];
};

/* Opens our own file and reads the index at its end. */
int payload_open(struct payload *payload, struct failure *failure);

/* ---- unpack.c ---- */
/* Result of unpack_layer() besides 0 and -1. */
#define UNPACK_NO_ROOM (-2)

/* Writes the files of a layer into the (empty) directory. A progress line naming `into` goes to stderr after a second. */
int unpack_layer(const struct payload *payload, const struct layer *layer, int directory, const char *into,
                 struct failure *failure);
/* Cheap check (no hash): is each file there, with the right size, mode and modification time? */
int layer_is_complete(const struct layer *layer, int directory);

/* ---- tree.c ---- */
/* The directory, with this mode if it is new, and all above it. -1 with errno. */
int make_directories(const char *path, mode_t mode);
/* rm -rf, symbolic links not followed. */
void remove_tree(int parent, const char *name);

/* ---- place.c ---- */
#define CACHE_VARIABLE "TPROXY_CACHE_DIR"

enum place_kind {
  CHOSEN, /* by the user, in the environment */
  USUAL,
  SHARED, /* in a directory where everybody may write */
};
struct place {
  enum place_kind kind;
  char path[PATH_SIZE];
};
struct places {
  int count;
  struct place list[4];
};
/* The directories to try, the best first. */
void list_places(struct places *places);
/* Makes and opens the directory, if nobody else can write there and programs can be started from there. */
int open_place(const struct place *place, struct failure *failure);

/* ---- cache.c ---- */
/* Chooses the cache directory, unpacks what is missing and takes a shared lock on each layer's directory.
 * The descriptors that hold these locks are meant to survive exec: while a process lives nobody deletes its files.
 * `paths[i]` is the directory of layer i; `cache` the directory that holds them. */
int cache_prepare(const struct payload *payload, char cache[PATH_SIZE], char paths[MAX_LAYERS][PATH_SIZE],
                  struct failure *failure);

/* ---- user_namespace.c ---- */
/* Gives a process without CAP_NET_ADMIN or CAP_SYS_ADMIN a user and a network namespace in which it has both.
 * Returns 1 = entered, 0 = not needed, -errno = the kernel refuses. */
int enter_user_namespace(void);

/* ---- sha256.c ---- */
struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[64];
};
void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[32]);

#endif
