# nsq: completion for bash. In ~/.bashrc: source <(nsq completion bash)
_nsq() {
  # Bash splits words at = and : too: the line is split here, and what readline has already is cut off again.
  local line="${COMP_LINE:0:COMP_POINT}" current head= word rest
  local -a words
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current="${words[${#words[@]} - 1]}"
  [[ $current == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && head="${current%"${current##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\t' read -r word rest; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2> /dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${current##*=}")
    else
      COMPREPLY+=("${word#"$head"}")
    fi
  done < <("${words[0]}" complete -- "${words[@]:1}" 2> /dev/null)
}
complete -F _nsq nsq
