#!/bin/sh
# Makes the secrets that are missing in ./secrets (or the folder that is named). What is there stays as it is: a new
# JWT_SECRET_KEY would sign everybody out, and without FIELD_KEYS nobody reads what it sealed. Back the folder up.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"    # the files are read by the containers' users, whose numbers this machine does not know

drawn() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() {    # NAME TEXT
    [ -e "$folder/$1" ] && return
    printf '%s\n' "$2" > "$folder/$1.new"
    chmod 444 "$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
    echo "made $folder/$1"
}

for name in JWT_SECRET_KEY FIELD_KEYS METRICS_TOKEN POSTGRES_PASSWORD GRAFANA_PASSWORD; do
    keep "$name" "$(drawn)"
done
for name in SMTP_PASSWORD WECOM_ROBOT_URL; do    # others give them: write them in
    keep "$name" ""
done
keep DATABASE_URL "postgresql://kefu:$(cat "$folder/POSTGRES_PASSWORD")@postgres:5432/kefu"
keep redis.conf "requirepass $(drawn)"
keep REDIS_URL "redis://:$(sed 's/^requirepass //' "$folder/redis.conf")@redis:6379/0"
